<?php
/**
 * The table of domains on our page: WordPress' own, with filters, a search and pages.
 *
 * Its rows are the mappings in the database, read a page at a time; beside them stands what the engine
 * reported. Everything is escaped, as names and reasons come from outside.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';

/**
 * The table.
 */
final class Domain_Table extends \WP_List_Table {

	const PER_PAGE = 50;

	/**
	 * The view of the domains that need somebody. Those without a constant are stages.
	 */
	const PERSON = 'person';

	/**
	 * The view of the protected names, which are never sent.
	 */
	const KEPT = 'protected';

	/**
	 * The icon of each lamp: none is told by its colour alone.
	 */
	const ICONS = array(
		'ready' => 'yes-alt',
		'going' => 'clock',
		'care'  => 'warning',
		'stop'  => 'dismiss',
		'none'  => 'marker',
	);

	/**
	 * The lamp of each state; of any other it is `none`.
	 */
	const LAMPS = array(
		'alias'       => array(
			'present'  => 'ready',
			'wanted'   => 'going',
			'adding'   => 'going',
			'removing' => 'going',
			'rejected' => 'stop',
		),
		'routing'     => array(
			'here'      => 'ready',
			'elsewhere' => 'stop',
		),
		'certificate' => array(
			'valid'    => 'ready',
			'expiring' => 'care',
			'missing'  => 'going',
			'invalid'  => 'stop',
		),
	);

	/**
	 * The page that it is on.
	 *
	 * @var string
	 */
	private $url;

	/**
	 * The mappings that need somebody.
	 *
	 * @var int[]
	 */
	private $person;

	/**
	 * The mappings whose names are protected.
	 *
	 * @var int[]
	 */
	private $kept;

	/**
	 * How many rows each view has; the empty one is all.
	 *
	 * @var int[]
	 */
	private $counts = array();

	/**
	 * A table of what is reported.
	 *
	 * @param string $url The page that it is on.
	 */
	public function __construct( $url ) {
		parent::__construct(
			array(
				'singular' => 'domain',
				'plural'   => 'domains',
				'ajax'     => false,
			)
		);
		$this->url    = $url;
		$this->person = array_map( 'intval', array_keys( Admin_Page::needing_a_person() ) );
		$this->kept   = array_map( 'intval', array_keys( array_filter( Engine::domains(), array( Admin_Page::class, 'is_protected' ) ) ) );
	}

	/**
	 * Read the rows of this page.
	 */
	public function prepare_items() {
		global $wpdb;
		$this->_column_headers = array( $this->get_columns(), array(), $this->get_sortable_columns(), 'domain' );
		$quiet                 = $wpdb->suppress_errors();
		$this->count();
		$table = Ultimate_Multisite::mappings_table();
		$where = $this->where();
		$order = $this->order();
		// phpcs:disable WordPress.DB -- The cache of Ultimate Multisite may be stale; what is put in is numbers, words of ours, and escaped.
		$total = (int) $wpdb->get_var( "SELECT COUNT(*) FROM `$table` WHERE $where" );
		$this->set_pagination_args(
			array(
				'total_items' => $total,
				'per_page'    => self::PER_PAGE,
			)
		);
		$from        = self::PER_PAGE * ( $this->get_pagenum() - 1 );
		$this->items = (array) $wpdb->get_results( $wpdb->prepare( "SELECT id, blog_id, domain, stage FROM `$table` WHERE $where ORDER BY $order LIMIT %d OFFSET %d", self::PER_PAGE, $from ) );
		// phpcs:enable
		$wpdb->suppress_errors( $quiet );
	}

	/**
	 * The columns.
	 *
	 * @return string[]
	 */
	public function get_columns() {
		return array(
			'domain' => __( 'Domain', 'closte-sync' ),
			'stage'  => __( 'Stage', 'closte-sync' ),
			'states' => __( 'Alias, DNS, certificate', 'closte-sync' ),
			'reason' => __( 'Why', 'closte-sync' ),
			'since'  => __( 'Since', 'closte-sync' ),
			'next'   => __( 'Next check', 'closte-sync' ),
		);
	}

	/**
	 * The columns that a table in the database can be sorted by.
	 *
	 * @return array
	 */
	protected function get_sortable_columns() {
		return array(
			'domain' => array( 'domain', false ),
			'stage'  => array( 'stage', false ),
		);
	}

	/**
	 * Pages above and below the table. There are no actions for many rows, so nothing else.
	 *
	 * @param string $which Where.
	 */
	protected function display_tablenav( $which ) {
		printf( '<div class="tablenav %s">', esc_attr( $which ) );
		$this->pagination( $which );
		echo '<br class="clear"></div>';
	}

	/**
	 * The words of a stage: those that Ultimate Multisite shows.
	 *
	 * @param string $stage The stage.
	 * @return string
	 */
	public static function stage_words( $stage ) {
		$words = array(
			'checking-dns'      => __( 'Checking DNS', 'closte-sync' ),
			'checking-ssl-cert' => __( 'Checking SSL', 'closte-sync' ),
			'done'              => __( 'Ready', 'closte-sync' ),
			'done-without-ssl'  => __( 'Ready (no SSL)', 'closte-sync' ),
			'failed'            => __( 'DNS failed', 'closte-sync' ),
			'ssl-failed'        => __( 'SSL failed', 'closte-sync' ),
		);
		return isset( $words[ $stage ] ) ? $words[ $stage ] : $stage;
	}

	/**
	 * Where nothing is found.
	 */
	public function no_items() {
		esc_html_e( 'No domain is found.', 'closte-sync' );
	}

	/**
	 * The filters, each with its count.
	 *
	 * @return string[] Links, escaped.
	 */
	protected function get_views() {
		$labels = array(
			''           => __( 'All', 'closte-sync' ),
			self::PERSON => __( 'Needs somebody', 'closte-sync' ),
			self::KEPT   => __( 'Protected names', 'closte-sync' ),
		);
		$links  = array();
		foreach ( $this->counts as $view => $count ) {
			$id           = '' === $view ? 'all' : $view;
			$label        = isset( $labels[ $view ] ) ? $labels[ $view ] : self::stage_words( $view );
			$links[ $id ] = sprintf(
				'<a href="%s"%s>%s <span class="count">(%s)</span></a>',
				esc_url( '' === $view ? $this->url : add_query_arg( 'show', $view, $this->url ) ),
				$this->view() === $view ? ' class="current" aria-current="page"' : '',
				esc_html( $label ),
				esc_html( number_format_i18n( $count ) )
			);
		}
		return $links;
	}

	/**
	 * The name, and what can be done.
	 *
	 * @param object $row A mapping.
	 * @return string HTML, escaped.
	 */
	protected function column_domain( $row ) {
		$links = array( 'recheck' => array( Admin_Page::recheck_url( $row->domain ), __( 'Check now', 'closte-sync' ) ) );
		if ( Ultimate_Multisite::is_there() ) {
			$page          = network_admin_url( 'admin.php?page=' . Domain_Pages::EDIT_PAGE );
			$links['edit'] = array( add_query_arg( 'id', (int) $row->id, $page ), __( 'Edit', 'closte-sync' ) );
		}
		$actions = array();
		foreach ( $links as $name => list( $url, $label ) ) {
			$actions[ $name ] = sprintf( '<a href="%s">%s</a>', esc_url( $url ), esc_html( $label ) );
		}
		$actions += Link_Forms::buttons( (int) $row->id, $row->domain );
		return sprintf( '<strong>%s</strong>%s', esc_html( $row->domain ), $this->row_actions( $actions, true ) );
	}

	/**
	 * The stage.
	 *
	 * @param object $row A mapping.
	 * @return string HTML, escaped.
	 */
	protected function column_stage( $row ) {
		return esc_html( self::stage_words( (string) $row->stage ) );
	}

	/**
	 * A lamp for each of the three states, in the order in which a domain passes them.
	 *
	 * @param object $row A mapping.
	 * @return string HTML, escaped.
	 */
	protected function column_states( $row ) {
		$domain = Engine::domain( $row->id, $row->domain );
		if ( null === $domain ) {
			return '&mdash;';
		}
		$names = array(
			'alias'       => __( 'Alias', 'closte-sync' ),
			'routing'     => __( 'DNS', 'closte-sync' ),
			'certificate' => __( 'Certificate', 'closte-sync' ),
		);
		$html  = '';
		foreach ( self::LAMPS as $state => $lamps ) {
			$word  = isset( $domain[ $state ] ) && is_string( $domain[ $state ] ) ? $domain[ $state ] : 'unknown';
			$lamp  = isset( $lamps[ $word ] ) ? $lamps[ $word ] : 'none';
			$html .= sprintf(
				'<li class="is-%s"><span class="dashicons dashicons-%s" aria-hidden="true"></span><span class="screen-reader-text">%s: </span><span class="word">%s</span></li>',
				esc_attr( $lamp ),
				esc_attr( self::ICONS[ $lamp ] ),
				esc_html( $names[ $state ] ),
				esc_html( self::state_words( $word ) )
			);
		}
		return "<ul class=\"closte-sync-line\">$html</ul>";
	}

	/**
	 * The first finding, and whose turn it is. Nobody has to do anything about a protected name.
	 *
	 * @param object $row A mapping.
	 * @return string HTML, escaped.
	 */
	protected function column_reason( $row ) {
		$domain = Engine::domain( $row->id, $row->domain );
		if ( null === $domain ) {
			return '<span class="closte-sync-soft">' . esc_html__( 'Nothing to report', 'closte-sync' ) . '</span>';
		}
		$text   = isset( $domain['text'] ) && is_string( $domain['text'] ) ? esc_html( $domain['text'] ) : '';
		$person = in_array( (int) $row->id, $this->person, true );
		$turn   = Words::turn( $domain );
		if ( '' === $turn && $person ) {
			$turn = __( 'Needs somebody', 'closte-sync' );
		}
		if ( '' === $turn || Admin_Page::is_protected( $domain ) ) {
			return $text;
		}
		return sprintf( '<span class="closte-sync-badge is-%s">%s</span> %s', $person ? 'stop' : 'going', esc_html( $turn ), $text );
	}

	/**
	 * Since when it is so.
	 *
	 * @param object $row A mapping.
	 * @return string HTML, escaped.
	 */
	protected function column_since( $row ) {
		$domain = Engine::domain( $row->id, $row->domain );
		return isset( $domain['since'] ) ? self::time( (int) $domain['since'] ) : '&mdash;';
	}

	/**
	 * When it is checked next.
	 *
	 * @param object $row A mapping.
	 * @return string HTML, escaped.
	 */
	protected function column_next( $row ) {
		$domain = Engine::domain( $row->id, $row->domain );
		return isset( $domain['next'] ) ? self::time( (int) $domain['next'] ) : '&mdash;';
	}

	/**
	 * A time, as near as people say it, with the exact one in its title.
	 *
	 * @param int $time Seconds since 1970.
	 * @return string HTML, escaped.
	 */
	public static function time( $time ) {
		$now = time();
		if ( $time > $now ) {
			/* translators: %s: such as "5 minutes". */
			$near = sprintf( __( 'in %s', 'closte-sync' ), human_time_diff( $now, $time ) );
		} else {
			/* translators: %s: such as "5 minutes". */
			$near = sprintf( __( '%s ago', 'closte-sync' ), human_time_diff( $time, $now ) );
		}
		return sprintf( '<time datetime="%s" title="%s">%s</time>', esc_attr( gmdate( 'c', $time ) ), esc_attr( Words::moment( $time ) ), esc_html( $near ) );
	}

	/**
	 * The words of a state.
	 *
	 * @param string $word The engine's.
	 * @return string
	 */
	private static function state_words( $word ) {
		$words = array(
			'present'   => __( 'present', 'closte-sync' ),
			'wanted'    => __( 'wanted', 'closte-sync' ),
			'adding'    => __( 'adding', 'closte-sync' ),
			'removing'  => __( 'removing', 'closte-sync' ),
			'rejected'  => __( 'rejected', 'closte-sync' ),
			'absent'    => __( 'absent', 'closte-sync' ),
			'protected' => __( 'protected', 'closte-sync' ),
			'here'      => __( 'here', 'closte-sync' ),
			'elsewhere' => __( 'elsewhere', 'closte-sync' ),
			'valid'     => __( 'valid', 'closte-sync' ),
			'expiring'  => __( 'expiring', 'closte-sync' ),
			'missing'   => __( 'missing', 'closte-sync' ),
			'invalid'   => __( 'invalid', 'closte-sync' ),
			'unknown'   => __( 'unknown', 'closte-sync' ),
		);
		return isset( $words[ $word ] ) ? $words[ $word ] : $word;
	}

	/**
	 * Count the rows of each view.
	 */
	private function count() {
		global $wpdb;
		$table  = Ultimate_Multisite::mappings_table();
		$ours   = Ultimate_Multisite::of_our_sites();
		$person = self::among( $this->person );
		$kept   = self::among( $this->kept );
		// phpcs:ignore WordPress.DB -- Numbers.
		$rows         = (array) $wpdb->get_results( "SELECT stage, COUNT(*) AS count, SUM($person) AS person, SUM($kept) AS kept FROM `$table` WHERE $ours GROUP BY stage ORDER BY stage" );
		$this->counts = array(
			''           => (int) array_sum( wp_list_pluck( $rows, 'count' ) ),
			self::PERSON => (int) array_sum( wp_list_pluck( $rows, 'person' ) ),
		);
		$kept         = (int) array_sum( wp_list_pluck( $rows, 'kept' ) );
		if ( 0 < $kept ) {
			$this->counts[ self::KEPT ] = $kept;
		}
		foreach ( $rows as $row ) {
			// A row without a stage is among all.
			$this->counts += array( (string) $row->stage => (int) $row->count );
		}
	}

	/**
	 * The chosen view.
	 *
	 * @return string Empty for all.
	 */
	private function view() {
		// phpcs:ignore WordPress.Security.NonceVerification -- Only what is shown.
		$view = isset( $_GET['show'] ) ? sanitize_key( $_GET['show'] ) : '';
		return isset( $this->counts[ $view ] ) ? $view : '';
	}

	/**
	 * Which rows are shown.
	 *
	 * @return string SQL.
	 */
	private function where() {
		global $wpdb;
		// phpcs:ignore WordPress.Security.NonceVerification -- Only what is shown.
		$search = isset( $_GET['s'] ) ? trim( sanitize_text_field( wp_unslash( $_GET['s'] ) ) ) : '';
		$view   = $this->view();
		$terms  = array( Ultimate_Multisite::of_our_sites() );
		if ( self::PERSON === $view ) {
			$terms[] = self::among( $this->person );
		} elseif ( self::KEPT === $view ) {
			$terms[] = self::among( $this->kept );
		} elseif ( '' !== $view ) {
			$terms[] = $wpdb->prepare( 'stage = %s', $view );
		}
		if ( '' !== $search ) {
			$terms[] = $wpdb->prepare( 'domain LIKE %s', '%' . $wpdb->esc_like( $search ) . '%' );
		}
		return implode( ' AND ', $terms );
	}

	/**
	 * In which order: those that need somebody come first, unless another order is chosen.
	 *
	 * @return string SQL.
	 */
	private function order() {
		// phpcs:disable WordPress.Security.NonceVerification -- Only what is shown.
		$by   = isset( $_GET['orderby'] ) ? sanitize_key( $_GET['orderby'] ) : '';
		$down = isset( $_GET['order'] ) && 'desc' === $_GET['order'] ? 'DESC' : 'ASC';
		// phpcs:enable
		if ( ! array_key_exists( $by, $this->get_sortable_columns() ) ) {
			return self::among( $this->person ) . ' DESC, domain, id';
		}
		return "$by $down, domain, id";
	}

	/**
	 * Whether a row is one of these.
	 *
	 * @param int[] $ids Of mappings.
	 * @return string SQL.
	 */
	private static function among( array $ids ) {
		return array() === $ids ? '(1 = 0)' : '(id IN (' . implode( ', ', $ids ) . '))';
	}
}
