<?php
/**
 * What the engine knows, on Ultimate Multisite's own pages about domains.
 *
 * Its list has no place for another column: it calls a function of each domain with the name of
 * the column, and ends the page where there is no such function. So the reason is among the actions of
 * a row, to which we may add. Where a version lacks a hook that we use, nothing is shown.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The list of domains, and the page of one.
 */
final class Domain_Pages {

	const LIST_PAGE = 'wp-ultimo-domains';
	const EDIT_PAGE = 'wp-ultimo-edit-domain';

	/**
	 * Listen to Ultimate Multisite.
	 */
	public static function listen() {
		add_filter( 'wu_list_row_actions', array( self::class, 'add_to_row' ), 10, 2 );
		add_action( 'wu_page_' . self::EDIT_PAGE . '_register_widgets', array( self::class, 'add_box' ) );
		add_action( 'admin_head', array( self::class, 'style' ) );
	}

	/**
	 * Add the first finding, whose turn it is, the next check and the link to check now to a row of the list.
	 *
	 * @param mixed $actions The links of the row, one of which edits the domain.
	 * @param mixed $table   The id of the table.
	 * @return mixed
	 */
	public static function add_to_row( $actions, $table = '' ) {
		if ( ! is_array( $actions ) || ! is_string( $table ) || 'domain_list_table' !== substr( $table, -17 ) || ! isset( $actions['edit'] ) ) {
			return $actions;
		}
		if ( ! current_user_can( Admin_Page::CAPABILITY ) || ! preg_match( '/[?&;]id=(\d+)/', html_entity_decode( (string) $actions['edit'] ), $found ) ) {
			return $actions;
		}
		$note = self::note( (int) $found[1] );
		return '' === $note ? $actions : $actions + array( 'closte-sync' => $note );
	}

	/**
	 * WordPress moves the actions of a row out of sight, except for the row under the mouse, small screens
	 * and browsers without scripts; a reason should always be visible, so it is moved back by the same distance.
	 */
	public static function style() {
		// phpcs:ignore WordPress.Security.NonceVerification -- Only which page this is.
		if ( isset( $_GET['page'] ) && self::LIST_PAGE === $_GET['page'] ) {
			echo '<style>'
				. '.row-actions .closte-sync{display:block;position:relative;left:9999em;color:#50575e}'
				. '.rtl .row-actions .closte-sync{left:auto;right:9999em}'
				. 'tr:hover .row-actions .closte-sync,.row-actions.visible .closte-sync,.mobile .row-actions .closte-sync,.no-js .row-actions .closte-sync{left:0;right:auto}'
				. '</style>';
		}
	}

	/**
	 * Add a box to the page of a domain.
	 */
	public static function add_box() {
		$screen = get_current_screen();
		if ( null !== $screen && current_user_can( Admin_Page::CAPABILITY ) ) {
			add_meta_box( 'closte-sync', 'closte-sync', array( self::class, 'show_box' ), $screen->id, 'side' );
		}
	}

	/**
	 * The content of that box.
	 */
	public static function show_box() {
		// phpcs:ignore WordPress.Security.NonceVerification -- Only which domain is shown.
		$id   = isset( $_GET['id'] ) ? absint( $_GET['id'] ) : 0;
		$note = self::note( $id );
		$none = esc_html__( 'closte-sync reports nothing about this domain: it is as it should be, or was not checked yet.', 'closte-sync' );
		echo '<p>' . ( '' === $note ? $none : $note ) . '</p>'; // phpcs:ignore WordPress.Security.EscapeOutput -- Both are escaped.
	}

	/**
	 * What is known about a domain.
	 *
	 * @param int $id Of the mapping.
	 * @return string HTML, escaped; empty where nothing is known.
	 */
	private static function note( $id ) {
		$known = Engine::domain( $id, Ultimate_Multisite::name_of( $id ) );
		if ( null === $known ) {
			return '';
		}
		return sprintf(
			'%s <a href="%s">%s</a>',
			esc_html( Words::with_turn( $known ) ),
			esc_url( Admin_Page::recheck_url( $known['domain'] ) ),
			esc_html__( 'Check now', 'closte-sync' )
		);
	}
}
