<?php
/**
 * The buttons on our page that make and end the links to the status pages of owners.
 *
 * A link is shown by the answer to its own request and never again, so that request leads nowhere else.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * A form beside the table, whose buttons are in its rows.
 */
final class Link_Forms {

	const ASK = 'closte_sync_link';

	/**
	 * What came of this request: a title and, where one was made, the address.
	 *
	 * @var string[]|null
	 */
	private static $taken = null;

	/**
	 * The links that there are, once they were read.
	 *
	 * @var array[]|null
	 */
	private static $links = null;

	/**
	 * Make or end a link, if a button of ours asks for that.
	 */
	public static function take() {
		if ( ! isset( $_SERVER['REQUEST_METHOD'], $_REQUEST[ self::ASK ] ) || 'POST' !== $_SERVER['REQUEST_METHOD'] ) {
			return;
		}
		Actions::demand( self::ASK );
		$asked  = sanitize_text_field( wp_unslash( is_string( $_REQUEST[ self::ASK ] ) ? $_REQUEST[ self::ASK ] : '' ) );
		$parts  = explode( ' ', $asked . ' ' );
		$id     = (int) $parts[1];
		$domain = strtolower( Ultimate_Multisite::name_of( $id ) );
		if ( 'revoke' === $parts[0] ) {
			Status_Links::revoke( $id );
			/* translators: %s: a domain. */
			self::$taken = array( sprintf( __( 'The status link of %s is no longer valid.', 'closte-sync' ), $domain ) );
		} elseif ( in_array( $id, Ultimate_Multisite::mappings_of( $domain ), true ) ) {
			$address = Status_Links::make( $id, $domain );
			/* translators: %s: a domain. */
			$title       = sprintf( __( 'The status link of %s is shown only now: copy it and send it to the owner of the domain. An older one is no longer valid.', 'closte-sync' ), $domain );
			self::$taken = null === $address ? array( Words::no_link() ) : array( $title, $address );
		} else {
			wp_die( esc_html__( 'This domain is not mapped.', 'closte-sync' ), '', array( 'response' => 404 ) );
		}
	}

	/**
	 * Show what came of this request.
	 */
	public static function show_taken() {
		if ( null === self::$taken ) {
			return;
		}
		printf( '<div class="notice notice-info inline"><p><strong>%s</strong></p>', esc_html( self::$taken[0] ) );
		if ( isset( self::$taken[1] ) ) {
			printf( '<p><code class="closte-sync-copy">%s</code></p>', esc_html( self::$taken[1] ) );
		}
		echo '</div>';
	}

	/**
	 * The form, which the buttons belong to: the table is in another one.
	 */
	public static function show() {
		printf( '<form method="post" id="%s" action="%s">', esc_attr( self::ASK ), esc_url( Admin_Page::url() ) );
		wp_nonce_field( self::ASK );
		echo '</form>';
	}

	/**
	 * The buttons of a row.
	 *
	 * @param int    $id     Of the mapping.
	 * @param string $domain Its name.
	 * @return string[] HTML, escaped.
	 */
	public static function buttons( $id, $domain ) {
		self::$links = null === self::$links ? Status_Links::all() : self::$links;
		if ( ! isset( self::$links[ $id ] ) || strtolower( $domain ) !== self::$links[ $id ]['domain'] ) {
			return array( 'link' => self::button( "make $id", __( 'Status link', 'closte-sync' ) ) );
		}
		/* translators: %s: a date. */
		$until = sprintf( __( 'Status link until %s', 'closte-sync' ), wp_date( get_option( 'date_format' ), self::$links[ $id ]['until'] ) );
		return array(
			'until'  => esc_html( $until ),
			'link'   => self::button( "make $id", __( 'New link', 'closte-sync' ) ),
			'revoke' => self::button( "revoke $id", __( 'Revoke', 'closte-sync' ) ),
		);
	}

	/**
	 * A button.
	 *
	 * @param string $value What it asks for.
	 * @param string $label What is on it.
	 * @return string HTML, escaped.
	 */
	private static function button( $value, $label ) {
		return sprintf( '<button type="submit" class="button-link" form="%1$s" name="%1$s" value="%2$s">%3$s</button>', esc_attr( self::ASK ), esc_attr( $value ), esc_html( $label ) );
	}
}
